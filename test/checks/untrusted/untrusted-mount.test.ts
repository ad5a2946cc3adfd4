import { mounted, refused } from "./untrusted.ts";
import { expect, test } from "bun:test";

test("untrusted-mount: what is of the machine, not what is the tree's", () => {
  const kinds: [object, string[][]][] = [
    [{ fstype: 3 }, [["untrusted-mount", "/m"]]],
    [{ fstype: 2 }, [["untrusted-mount", "/m"]]],
    [{ fstype: 2, flags: 1 }, []],
    [{ fstype: 5 }, []],
    [{ fstype: 1 }, [["untrusted-mount", "/m"]]],
    [{ fstype: 16, fsname: "ext4", source: "/dev/vda" }, [["untrusted-mount", "/dev/vda"]]],
    [{ fstype: 17, options: "lowerdir=/etc" }, [["untrusted-mount", "/m"]]],
  ];
  for (const [given, expected] of kinds)
    expect([given, refused(mounted({ mountpoint: "./m", ...given }))]).toEqual([given, expected]);
});
