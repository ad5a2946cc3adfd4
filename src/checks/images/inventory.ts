/** What the checkpoint as a whole says of itself and asks of the restore (image.c, check_img_inventory). */

export const inventoryImage = { image: "inventory.img", severity: "blocker" } as const;
