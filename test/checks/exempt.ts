export const exempt: Record<string, string> = {};
