import { startS3Server } from "../../src/testing/index.js";

/** Runs by itself until it is killed, as a child of `persistence.test.ts`: data folder and bucket are its arguments. */
const [dataFolder = "", bucket = ""] = process.argv.slice(2);
const server = await startS3Server({ dataFolder, buckets: [bucket] });
console.log(server.endpoint);
