/** Where messages go; any of them may be missing. `console` and pino fit. */
export interface Logger {
  debug?(message: string, ...details: unknown[]): void;
  info?(message: string, ...details: unknown[]): void;
  warn?(message: string, ...details: unknown[]): void;
  error?(message: string, ...details: unknown[]): void;
}

const METHODS = ["debug", "info", "warn", "error"] as const;

/** The same logger; what it throws itself must not keep a lock from being renewed, released or handed out. */
export function unthrowing(logger: Logger): Logger {
  const quiet: Logger = {};
  for (const method of METHODS) {
    quiet[method] = (message, ...details) => {
      try {
        logger[method]?.(message, ...details);
      } catch {
        // There is nobody left to tell.
      }
    };
  }
  return quiet;
}
