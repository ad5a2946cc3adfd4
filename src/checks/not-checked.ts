/** What docs/checks.md lists as not checked: a known way to fail that no check looks for, and why. */

export interface NotChecked {
  /** What goes wrong, with CRIU's message where it has one. */
  what: string;
  why: string;
}

export const notChecked: readonly NotChecked[] = [];
