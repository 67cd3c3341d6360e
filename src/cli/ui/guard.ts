import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

/**
 * Who may talk to the dashboard. The token that the command prints comes once, in the address. It opens the page, which keeps
 * it in the tab's own storage and sends it as `Authorization: Bearer` with every request for data: cookies would also go to
 * whatever else listens on this machine, on any port. The cookie that comes with the page opens nothing but the page's own
 * files, so that it can be loaded again.
 */
export class Guard {
  readonly token = randomBytes(24).toString("base64url");
  readonly #pageKey = randomBytes(24).toString("base64url");
  readonly #isHostAllowed: (hostname: string) => boolean;

  constructor(isHostAllowed: (hostname: string) => boolean) {
    this.#isHostAllowed = isHostAllowed;
  }

  /** Says why a request is refused before anything else is looked at; undefined when it is not. */
  refusalOf(headers: IncomingHttpHeaders, method: string): string | undefined {
    const { host, origin } = headers;
    // A page of another site whose name was made to lead here sends that name.
    if (host === undefined || !this.#isHostAllowed(hostnameOf(host))) return "The Host header names another machine.";
    if (origin === undefined ? method !== "GET" : origin !== `http://${host}`)
      return "The request is from another origin.";
    return undefined;
  }

  isToken(given: string | null | undefined): boolean {
    return isSame(given, this.token);
  }

  /** Says whether a request for data has the token. */
  isBearer({ authorization }: IncomingHttpHeaders): boolean {
    return this.isToken(/^Bearer (.+)$/.exec(authorization ?? "")?.[1]);
  }

  /** Says whether a request for the page's files has the cookie. */
  hasCookie({ host, cookie }: IncomingHttpHeaders): boolean {
    const wanted = cookieName(host);
    const pairs = (cookie ?? "").split(";").map((pair) => pair.trim().split("="));
    return pairs.some(([name, value]) => name === wanted && isSame(value, this.#pageKey));
  }

  cookieFor({ host }: IncomingHttpHeaders): string {
    return `${cookieName(host)}=${this.#pageKey}; Path=/; HttpOnly; SameSite=Strict`;
  }
}

/** Names the cookie after the port. Cookies know no ports: two dashboards must not take each other's. */
function cookieName(host = ""): string {
  return `s3-mutex-ui-${/:(\d+)$/.exec(host)?.[1] ?? "80"}`;
}

/** Names that lead to this machine and nowhere else. A forwarded port (`ssh -L`) may be any. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "::1" || (isIP(hostname) === 4 && hostname.startsWith("127."));
}

/** Makes the test of hosts. Addresses cannot be made to lead elsewhere; names can, so of those only the ones given count. */
export function isAddressOr(names: readonly string[]): (hostname: string) => boolean {
  return (hostname) => isLoopback(hostname) || isIP(hostname) !== 0 || names.includes(hostname);
}

function hostnameOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/:\d+$/, "")
    .replace(/^\[(.*)\]$/, "$1");
}

/** Takes the same time wherever they differ. */
function isSame(given: string | null | undefined, expected: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given ?? ""), digest(expected));
}
