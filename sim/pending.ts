/** What the context of a call grants, releases and refuses is not explicit yet: until it is, it is judged only where that is asked for. */
export const JUDGES_CONTEXTS = process.env["SIM_CONTEXTS"] === "1";
