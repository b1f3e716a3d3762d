/** Operators that run graphs: conditions and loops. */
@NullMarked
package io.github.loragraph.ops.controlflow;

import org.jspecify.annotations.NullMarked;
