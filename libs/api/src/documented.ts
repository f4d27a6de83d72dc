import {
  ApiBody,
  ApiExtraModels,
  ApiOperation,
  ApiProperty,
  ApiQuery,
  ApiResponse,
  getSchemaPath,
  type ApiBodyOptions,
  type ApiPropertyOptions,
  type ApiQueryOptions,
} from '@nestjs/swagger'

/** JSON Schema of a field, as the OpenAPI document has it; with `required: false` it may be left out. */
export type FieldSchema = Readonly<Record<string, unknown>>
type View = new () => object
/** A body, with one that is taken as it stands for the document to show. */
type Body = View & { readonly example?: object }

/** Where @nestjs/swagger keeps what ApiProperty said. */
const PROPERTIES = 'swagger/apiModelPropertiesArray'
const PROPERTY = 'swagger/apiModelProperties'

/** Says in the OpenAPI document what a field is. */
export function Documented(schema: FieldSchema = {}): PropertyDecorator {
  const { required = true, ...rest } = schema
  // Of an object, `required` names its members: whether the field itself is has another name there.
  const flag = schema.type === 'object' ? { selfRequired: required } : { required }
  return ApiProperty({ ...rest, ...flag } as ApiPropertyOptions)
}

/** Says in the OpenAPI document what a handler is for, in a few words. */
export function Does(summary: string): MethodDecorator {
  return ApiOperation({ summary })
}

/** Says in the OpenAPI document what a handler answers when all is well. */
export function Answers(status: number, view?: View): MethodDecorator {
  return (target, property, descriptor) => {
    const description = view ? view.name.replace(/View$/, '') : 'Done.'
    ApiResponse({ status, description, ...(view ? { type: view } : {}) })(target, property, descriptor)
  }
}

/** The same of one page of a list. */
export function AnswersList(view: View): MethodDecorator {
  return (target, property, descriptor) => {
    ApiExtraModels(view)(target, property, descriptor)
    const data = { type: 'array', items: { $ref: getSchemaPath(view) } }
    const schema = {
      type: 'object',
      required: ['data', 'next_cursor'],
      properties: { data, next_cursor: { type: 'string', nullable: true } },
    }
    ApiResponse({ status: 200, description: 'One page.', schema })(target, property, descriptor)
  }
}

/** What a handler takes as its body. */
export function documentBody(
  target: object,
  property: string | symbol,
  dto: Body,
  types: readonly string[],
  required = true,
): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, property)!
  ApiExtraModels(dto)(target, property, descriptor)
  const examples = dto.example === undefined ? {} : { examples: { example: { value: dto.example } } }
  ApiBody({ type: dto, required, ...examples } as ApiBodyOptions)(target, property, descriptor)
  Reflect.defineMetadata('swagger/apiConsumes', types, descriptor.value as object)
}

/** What a handler takes as its query: the fields of the class. */
export function documentQuery(target: object, property: string | symbol, dto: View): void {
  const descriptor = Object.getOwnPropertyDescriptor(target, property)!
  const names = (Reflect.getMetadata(PROPERTIES, dto.prototype as object) ?? []) as string[]
  for (const name of names.map(each => each.slice(1))) {
    const options = Reflect.getMetadata(PROPERTY, dto.prototype as object, name) as Record<string, unknown>
    const { required, description, type, enum: values, nullable: _nullable, isArray: _isArray, ...schema } = options
    const text = typeof type === 'string' ? { type } : {}
    const query = {
      name,
      required: required === true,
      ...(description === undefined ? {} : { description }),
      schema: { ...schema, ...text, ...(values === undefined ? {} : { type: 'string', enum: values }) },
    }
    ApiQuery(query as ApiQueryOptions)(target, property, descriptor)
  }
}
