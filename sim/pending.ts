/** The library still gives back under callbacks that run: until it does not, that is judged only where it is asked for. */
export const JUDGES_CLOSING = process.env["SIM_CLOSING"] === "1";
/** The same for what the context of a call grants, releases and refuses. */
export const JUDGES_CONTEXTS = process.env["SIM_CONTEXTS"] === "1";
