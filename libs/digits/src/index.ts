export { DigitsError } from './digits.error.js';
export { DIGIT_NAMES, generateDigits, type GenerateDigitsOptions } from './digits.generator.js';
