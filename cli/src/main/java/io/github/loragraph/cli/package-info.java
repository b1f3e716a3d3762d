/** The commands, a class each: options, output and advice in the words of the command line. */
package io.github.loragraph.cli;
