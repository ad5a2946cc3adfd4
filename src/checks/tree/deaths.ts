/** How a task dies, or died: the signal at its parent's death, and the code that a zombie left (cr-restore.c). */

/** The last signal: signal(7). */
export const LAST_SIGNAL = 64;
