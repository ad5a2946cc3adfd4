/** Images that are links: CRIU, as root, reads what they lead to, and pages of any file become the tree's memory. */
import { dirname } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import { imagePlaces } from "../images/image-places.ts";
import { effect, type Effect } from "./effect.ts";

export function imageEffects(context: Context): Effect[] {
  return imagePlaces(context).flatMap(({ directory, links }) =>
    links.flatMap(({ name, path }): Effect[] => {
      if (path !== undefined && dirname(path) === directory) return [];
      const shared = {
        what: "image",
        path: path ?? null,
        name: `${directory}/${name}`,
        image: name,
      };
      const written = context.request.autoDedup && name.startsWith("pages-");
      const check = written ? "untrusted-write" : "untrusted-read";
      return [
        effect({
          ...shared,
          verb: written ? "change" : "read",
          detail: `a link out of the images: root reads what is there into the tree${written ? ", and cuts it out (--auto-dedup)" : ""}`,
          check,
        }),
      ];
    }),
  );
}
