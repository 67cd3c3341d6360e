/** The entries of the package: what users import, and the folder of the reference that the tool makes of its source. */
export const ENTRIES = ["", "/port", "/fetch", "/r2", "/web-locks", "/otel", "/testing"].map((path) => ({
  name: `s3-mutex${path}`,
  folder: path === "" ? "index" : path.slice(1),
}));
