/** Says whether a key of a bucket is that of a record, and not of an object that the library tries its store on. */
export function isRecordKey(key: string): boolean {
  return key.endsWith(".json") && !key.includes(".s3-mutex/");
}
