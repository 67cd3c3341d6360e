import { r2Store } from "../../src/r2/index.js";
import { describeContract } from "../store/contract.js";
import { Binding } from "./r2-binding.js";

const bucket = new Binding();
describeContract("r2Store", () => r2Store({ bucket, bucketName: "locks" }), ["store", "races", "locks", "1.x"]);
