import type { FetchStoreOptions } from "../../src/fetch/index.js";

/** The server does not look at signatures: this one only shows who would have signed. */
export class Signer {
  readonly #input: ConstructorParameters<FetchStoreOptions["signer"]>[0];

  constructor(input: ConstructorParameters<FetchStoreOptions["signer"]>[0]) {
    this.#input = input;
  }

  async sign() {
    const { url, headers, accessKeyId, datetime, region } = this.#input;
    const scope = `${accessKeyId}/${datetime.slice(0, 8)}/${region}/s3/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=0`;
    return { url: new URL(url), headers: new Headers({ ...headers, "x-amz-date": datetime, authorization }) };
  }
}
