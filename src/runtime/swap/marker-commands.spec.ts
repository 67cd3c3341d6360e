import { expect, it } from "vitest";
import { listingOf, removalOf } from "./marker-commands.js";

it("says where the object is, as a shell takes it", () => {
  const place = { bucketName: "locks", key: "locks/job.json" };
  expect(removalOf(place, "null")).toBe(
    "aws s3api delete-object --bucket locks --key locks/job.json --version-id null",
  );
  expect(listingOf({ ...place, endpointUrl: "http://[::1]:9000" })).toBe(
    "aws s3api list-object-versions --endpoint-url 'http://[::1]:9000' --bucket locks --prefix locks/job.json",
  );
  expect(removalOf({ ...place, key: "it's $HOME; ~", endpointUrl: "https://store/a?b&c" }, "-x")).toBe(
    "aws s3api delete-object --endpoint-url 'https://store/a?b&c' --bucket locks --key 'it'\\''s $HOME; ~' --version-id=-x",
  );
});
