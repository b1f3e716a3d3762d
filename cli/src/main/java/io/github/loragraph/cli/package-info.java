/** The commands, a class each: options, output and advice in the words of the command line. */
@NullMarked
package io.github.loragraph.cli;

import org.jspecify.annotations.NullMarked;
