/* A plugin of CRIU that does nothing but answer to the name recriu_test (criu-plugin.h: descriptor of API 0.2.0), and
 * make the file that $PLUGIN_LOADED names as soon as it is loaded. */
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

/* CRIU before 4.1 has none. */
__attribute__((weak)) bool check_and_remove_inventory_plugin(const char *name, size_t length);

__attribute__((constructor)) static void loaded(void)
{
	const char *mark = getenv("PLUGIN_LOADED");

	if (mark)
		close(creat(mark, 0600));
}

static int init(int stage)
{
	(void)stage;
	if (check_and_remove_inventory_plugin)
		check_and_remove_inventory_plugin("recriu_test", sizeof("recriu_test") - 1);
	return 0;
}

struct {
	const char *name;
	int (*init)(int stage);
	void (*exit)(int stage, int ret);
	unsigned version, max_hooks;
	void *hooks[1];
} CR_PLUGIN_DESC = { .name = "recriu_test", .init = init, .version = 0x200 };
