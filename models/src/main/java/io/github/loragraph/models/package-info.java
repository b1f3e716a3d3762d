/**
 * What the front door is made of: folders that models lie in, the bundled model, classification
 * heads, models of reference sizes, data read for a model, and the configuration that a run notes.
 */
@NullMarked
package io.github.loragraph.models;

import org.jspecify.annotations.NullMarked;
