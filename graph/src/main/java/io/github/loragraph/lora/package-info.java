/**
 * Adapters: which weights of a model are Linears, what is put beside them, which values are
 * trained, and how adapters are folded in or taken away.
 */
package io.github.loragraph.lora;
