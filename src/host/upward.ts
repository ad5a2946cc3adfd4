/** `path` and the directories that it is named in, outermost last. It ends whatever the path is: each is shorter. */
export function* upward(path: string): Generator<string> {
  for (let at = path; at !== "";) {
    yield at;
    const slash = at.lastIndexOf("/");
    at = slash > 0 ? at.slice(0, slash) : slash === 0 && at.length > 1 ? "/" : "";
  }
}
