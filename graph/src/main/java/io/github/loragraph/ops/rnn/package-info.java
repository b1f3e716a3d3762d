/** Recurrent layers. */
package io.github.loragraph.ops.rnn;
