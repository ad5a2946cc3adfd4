/* A library for a CRIU before 4.2 on a machine without hardware breakpoints: tells it, by CRIU's own variable for its
 * tests, to do without. Later ones find that out themselves.
 */
#include <stdlib.h>

static void __attribute__((constructor)) tell(void)
{
	setenv("CRIU_FAULT", "130", 0);
}
