/**
 * On the answers of a process that asks its clients to leave their connections (`connection: close`) because another one serves at the
 * same address in its place. Without it such a process leaves, and its address is to be avoided.
 */
export const SUCCESSOR_HEADER = "x-gatehouse-successor";
