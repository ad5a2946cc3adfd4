/** What tests refuse and break is no news for this machine's log. */
process.env["RECRIU_LOG_DIR"] ??= "";
