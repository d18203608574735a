// What the page of the server has already: the form for a contract, and how it is written. make_site.py copies it.

export { isNumber } from "../../../../src/iskra_server/web/static/js/arithmetic.js";
export {
  contractToml, emptyContract, hasParts, isPriced, string,
} from "../../../../src/iskra_server/web/static/js/contractToml.js";
export { make, setText } from "../../../../src/iskra_server/web/static/js/dom.js";
export {
  checkBox, fieldset, selectField, textField,
} from "../../../../src/iskra_server/web/static/js/views/contractFields.js";
export { contractSections } from "../../../../src/iskra_server/web/static/js/views/contractSections.js";
