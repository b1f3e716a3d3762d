/** Shapes and types of a graph's values, with symbolic dimensions. */
package io.github.loragraph.shape;
