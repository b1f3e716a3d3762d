/**
 * How failures that a user can act upon are said: in one line, with text from files made safe. Part
 * of the promised API.
 */
@NullMarked
package io.github.loragraph.error;

import org.jspecify.annotations.NullMarked;
