/** Set in the environment of a recriu that has moved: once is enough. */
export const MOVED = "RECRIU_MOVED_ASIDE";
