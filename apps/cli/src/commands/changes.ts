/** Whether nothing at all is named. */
export function isEmpty(change: object): boolean {
  return Object.values(change).every((value) => value === undefined)
}
