/**
 * The command {@code gpu-check}: fixtures held to PyTorch's numbers on a device, placement of a
 * step's nodes, and figures.
 */
@NullMarked
package io.github.loragraph.check;

import org.jspecify.annotations.NullMarked;
