/** Recurrent layers. */
@NullMarked
package io.github.loragraph.ops.rnn;

import org.jspecify.annotations.NullMarked;
