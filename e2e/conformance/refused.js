/** A question that is not asked, with the reason. */
export class Refused extends Error {}
