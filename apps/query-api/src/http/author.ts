/** Who changed something, as JSON; null: the project's folder. */
export function authorToJson({ authorId: id, authorEmail: email }: Author) {
  return id === null ? null : { id, email }
}

interface Author {
  readonly authorId: string | null
  readonly authorEmail: string | null
}
