/**
 * Folders that models lie in, the bundled model, classification heads and models of reference
 * sizes.
 */
package io.github.loragraph.models;
