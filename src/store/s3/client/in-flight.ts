/**
 * Bounds the requests in flight, first come, first served, so that none of them waits for a socket of the SDK's pool
 * while its time-out is already running. Urgent ones (a holder that renews or releases) go before all others that wait
 * and may use a reserve of places of their own: 500 queued acquisitions must not cost a holder its lease.
 */
export class InFlightLimiter {
  readonly #urgent: Array<() => void> = [];
  readonly #ordinary: Array<() => void> = [];
  #limit: number;
  #reserve: number;
  #inFlight = 0;

  constructor(limit: number) {
    this.#limit = limit;
    this.#reserve = reserveFor(limit);
  }

  /** Lowers the bound to a fraction of the sockets that there are; never raises it. */
  respectSockets(maxSockets: number): void {
    const fitting = Math.max(1, Math.floor(maxSockets * 0.8));
    if (fitting > this.#limit) return;
    this.#limit = fitting;
    this.#reserve = Math.max(0, Math.min(reserveFor(fitting), maxSockets - fitting));
  }

  /** Waits for a place; the function returned gives it back, and may be called more than once. */
  async enter(urgent: boolean): Promise<() => void> {
    if (this.#hasPlace(urgent)) this.#inFlight += 1;
    else await new Promise<void>((resolve) => (urgent ? this.#urgent : this.#ordinary).push(resolve));
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inFlight -= 1;
      this.#admit();
    };
  }

  /** Says whether there is a place, for which nothing waits then: what waits takes each that is given back at once. */
  #hasPlace(urgent: boolean): boolean {
    return this.#inFlight < this.#limit + (urgent ? this.#reserve : 0);
  }

  #admit(): void {
    while (this.#urgent.length > 0 && this.#inFlight < this.#limit + this.#reserve) this.#start(this.#urgent);
    while (this.#ordinary.length > 0 && this.#inFlight < this.#limit) this.#start(this.#ordinary);
  }

  #start(queue: Array<() => void>): void {
    this.#inFlight += 1;
    queue.shift()?.();
  }
}

function reserveFor(limit: number): number {
  return Math.ceil(limit / 5);
}
