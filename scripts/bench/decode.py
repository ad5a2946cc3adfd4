"""What `crit decode` does, for every image of a directory and in one process: crit alone starts Python for each.

Images that are no messages of CRIU's (archives of a tmpfs) are passed over, as crit can do nothing with them.
"""

import glob
import sys

import pycriu

for path in glob.glob(sys.argv[1] + "/*.img"):
    if "/pages-" not in path:
        with open(path, "rb") as image:
            try:
                pycriu.images.load(image, no_payload=True)
            except pycriu.images.MagicException:
                pass
