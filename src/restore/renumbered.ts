/** Set in the environment of a recriu that has moved: once is enough. */
export const RENUMBERED = "RECRIU_RENUMBERED";
