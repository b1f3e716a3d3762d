/** Comparisons, logic and bits: operators that no gradient goes through. */
package io.github.loragraph.ops.logical;
