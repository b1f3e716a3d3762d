/**
 * What makes another model of a model: changes between operator sets, patterns of nodes that become
 * one, and what makes a training graph small.
 */
@NullMarked
package io.github.loragraph.passes;

import org.jspecify.annotations.NullMarked;
