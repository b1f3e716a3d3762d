/** Operators that run graphs: conditions and loops. */
package io.github.loragraph.ops.controlflow;
