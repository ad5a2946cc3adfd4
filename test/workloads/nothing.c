/* An action script that decides nothing: what CRIU takes for having one. */
int main(void) { return 0; }
