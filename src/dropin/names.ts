/** What makes a recriu another one. */

/** The name it is called by. */
export const CRIU = "criu";
/** The first word of a watcher, which only recriu itself starts. */
export const WATCHER = "--watcher";
