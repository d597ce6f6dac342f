import { z } from 'zod'
import { DEFINITION_KINDS } from '../project/definitions.js'

/** Rows of `listDefinitions`. */
export const storedDefinition = z.object({
  kind: z.enum(DEFINITION_KINDS),
  name: z.string(),
  text: z.string(),
  path: z.string(),
  isEdited: z.boolean(),
  revision: z.coerce.number(),
  changedAt: z.date(),
  authorId: z.string().nullable(),
  authorEmail: z.string().nullable(),
})

/** A definition as it is stored, with who changed it last. */
export type StoredDefinition = z.output<typeof storedDefinition>

/** Rows of `listRevisions`. */
export const revisionSummary = z.object({
  revision: z.coerce.number(),
  createdAt: z.date(),
  origin: z.enum(['folder', 'api']),
  authorId: z.string().nullable(),
  authorEmail: z.string().nullable(),
  summary: z.string(),
})

/** A revision, and who made it why. */
export type RevisionSummary = z.output<typeof revisionSummary>

/** Rows of `listChanges`. */
export const revisionChange = z.object({
  kind: z.enum(DEFINITION_KINDS),
  name: z.string(),
  change: z.enum(['created', 'updated', 'deleted']),
})

/** A definition that a revision changed. */
export type RevisionChange = z.output<typeof revisionChange>

/** Rows of `listVersions`. */
export const definitionVersion = z.object({
  kind: z.enum(DEFINITION_KINDS),
  name: z.string(),
  revision: z.coerce.number(),
  change: z.enum(['created', 'updated', 'deleted']),
  text: z.string().nullable(),
  origin: z.enum(['folder', 'api']),
  changedAt: z.date(),
  authorId: z.string().nullable(),
  authorEmail: z.string().nullable(),
})

/** One change of a definition; `text` is what it became. */
export type DefinitionVersion = z.output<typeof definitionVersion>
