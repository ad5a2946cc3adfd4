/** How tasks die or died. */

export const SIGWINCH = 28;
