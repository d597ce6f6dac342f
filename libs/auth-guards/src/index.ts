export type { AttributeValue, Principal, Scope } from './principal.js'
