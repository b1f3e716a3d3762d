/**
 * Adapters: which weights of a model are Linears, what is put beside them, which values are
 * trained, and how adapters are folded in or taken away.
 */
@NullMarked
package io.github.loragraph.lora;

import org.jspecify.annotations.NullMarked;
