/** Operators that bring axes together into one number each. */
package io.github.loragraph.ops.reduction;
