/** Injection tokens for values that have no class of ours in `query/`. */
export const WAREHOUSE = Symbol('warehouse')
