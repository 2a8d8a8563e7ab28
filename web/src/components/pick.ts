/** What every picker of one thing by name takes; the value is an id or a code, `name` is how it is known. */
export interface PickProps {
  modelValue?: string
  name?: string
  placeholder?: string
  ariaLabel?: string
  ariaLabelledby?: string
  inputId?: string
  invalid?: boolean
  disabled?: boolean
}
