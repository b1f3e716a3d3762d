/** Pages of runs: what one has become, and several beside each other. */
@NullMarked
package io.github.loragraph.report;

import org.jspecify.annotations.NullMarked;
